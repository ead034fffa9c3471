"""What looks on while requests are made: recordings as an HTTP Archive and a page, spans and durations for OpenTelemetry."""
