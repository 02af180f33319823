/** The schema's file, beside the configuration. */
export const schemaName = 'weir.schema.json'

/** A first `weir.yaml`: valid as it stands, with what most people need next in comments. */
export const configTemplate = `# yaml-language-server: $schema=./${schemaName}
#
# What agents reach through Weir. Check it with \`weir validate\`, serve it with \`weir dev\`.
# \${VAR}, \${VAR:-default} and \${file:path} work in every value; write $$ for a dollar sign.

connections:
  # SQL databases. Agents get one set of tools, and name the database in the call.
  database:
    type: sql
    databases:
      local: { url: "sqlite:./weir.db", write: true }   # made when it is first opened; without write it is read only
      # shop: { url: "sqlite:./data/shop.db" }

  # HTTP APIs. The credential stays here; agents never see it.
  # api:
  #   type: http
  #   apis:
  #     payments:
  #       baseUrl: "https://pay.example/v1"
  #       auth: { bearer: "\${PAY_TOKEN}" }

  # Any other MCP server: a program …
  # files:
  #   type: mcp
  #   command: npx
  #   args: ["-y", "@modelcontextprotocol/server-filesystem", "."]
  # … or a URL.
  # remote:
  #   type: mcp
  #   url: "https://mcp.example/mcp"
  #   headers: { Authorization: "Bearer \${REMOTE_TOKEN}" }

# Servers in the format of Claude, Cursor and VS Code work as they are, under mcpServers:
# mcpServers: {}

# Rules for calls, by tool or pattern.
policies:
  "database:*": { timeout: 10s }

# server: { port: 8000 }
# log: { level: info, format: pretty }
`
