import { z } from 'zod'
import { isFramingHeader } from './header-rules.ts'

/** A header that a configuration may name: HTTP's own framing is not among them. */
export const headerName = z
  .string()
  .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, 'is not an HTTP header name')
  .refine((name) => !isFramingHeader(name), 'is a header that HTTP itself sets')

/** What a header may hold. */
export const headerValue = z
  .string()
  .regex(/^[\t\x20-\x7e\x80-\xff]*$/, 'holds a character no HTTP header may have')
