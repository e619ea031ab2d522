"""Tools of MCP servers: programs and web services whose tools the operator configures and accepts."""
