import { z } from 'zod'

const headerName = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const headerValue = /^[\t\x20-\x7e\x80-\xff]*$/
/** Headers that are the protocol's or the connection's own; a configured one would make requests contradict themselves. */
const reservedHeader = /^(?:accept|content-type|content-length|host|connection|transfer-encoding|mcp-.*)$/i

/** Headers that go with every request to one server, credentials among them. */
export const headersSchema = z
  .record(
    z
      .string()
      .regex(headerName, 'is not a header name')
      .refine((name) => !reservedHeader.test(name), 'is set by Weir itself; remove it'),
    z.string().regex(headerValue, 'holds a character that no header may hold'),
  )
  .default({})
