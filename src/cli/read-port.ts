import { WeirError } from '../core/error.ts'

/** `--port`, as a number to lay over the configured one. Throws INVALID_PARAMS. */
export function readPort(text: string | undefined): { readonly port?: number } {
  if (text === undefined) return {}
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN
  if (port >= 0 && port <= 65_535) return { port }
  throw new WeirError('INVALID_PARAMS', `--port ${JSON.stringify(text)} is not a port.`, {
    hint: 'Give a number from 0 to 65535; 0 takes any free port.',
  })
}
