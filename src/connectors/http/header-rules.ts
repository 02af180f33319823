const framing = new Set([
  'accept-encoding',
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

// Identity, routing and method are decided by the configuration, so no call may speak about them (B-12).
const protectedName =
  /^(authorization|cookie2?|forwarded|via|(x-(real|client|cluster-client)|true-client|cf-connecting)-ip|x-forwarded(-.*)?|x-(original|rewrite)-.*|x-(http-)?host(-override)?|proxy(-.*)?|sec-.*|mcp-.*|x-(http-)?method(-override)?)$/

/** Whether HTTP itself sets this header. */
export function isFramingHeader(name: string): boolean {
  return framing.has(name.toLowerCase())
}

/** A header's name as CGI and its heirs know it: to them `X_Api_Key` and `x-api-key` are one header. */
export function foldHeaderName(name: string): string {
  return name.toLowerCase().replaceAll('_', '-')
}

/** Whether calls may not set this header, whatever the API. */
export function isProtectedHeader(name: string): boolean {
  const folded = foldHeaderName(name)
  return framing.has(folded) || protectedName.test(folded)
}

/** Whether a header's name says that its value is a secret. */
export function isCredentialHeader(name: string): boolean {
  return /authorization|cookie|token|secret|password|session|api-?key|credential/i.test(name)
}
