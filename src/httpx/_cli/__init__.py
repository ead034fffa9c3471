"""The command line, `httpx`. One module a concern:

command     the way of one call, from arguments to exit status
options     every option: its name, its help, its place on the help page; help draws that page
items       `name=value`, `name:value`, `name==value`, ...: parts of a request as people write them
building    from options and items to a client and its request
screen      what people see: heads, bodies, messages, safe for a terminal; body makes text readable
download    a body into a file: progress, resume, checksum; filenames chooses the name
recording   when each phase of each request began and ended; waterfall draws it
curl        the same request as a curl command
doctor      `httpx doctor`: a TLS connection examined
failures    exit statuses, and what is said when something fails

It may import everything, and nothing imports it but `httpx.main`, when that is called: click and rich load only then.
"""
