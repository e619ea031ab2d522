"""A local Discord on loopback: REST, gateway, attachments and a web page, for any unmodified Discord client."""
