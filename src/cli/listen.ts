import type { Weir } from '../app.ts'
import { WeirError } from '../core/error.ts'
import { findPortHolder } from './port-holder.ts'
import { readPort } from './read-port.ts'

/** Where to listen, as the command line has it. */
export interface ListenOptions {
  readonly host?: string
  readonly port?: string
}

/** Listens where the options say, or else the configuration; a taken port is told with who holds it. */
export async function listen(weir: Weir, { host, port }: ListenOptions): Promise<string> {
  const at = { ...(host === undefined ? {} : { host }), ...readPort(port) }
  try {
    return (await weir.listen(at)).url
  } catch (error) {
    if (error instanceof WeirError && error.code === 'PORT_TAKEN') throw await nameHolder(error)
    throw error
  }
}

async function nameHolder(error: WeirError): Promise<WeirError> {
  const { host, port } = error.data as { host: string; port: number }
  const holder = await findPortHolder(port)
  if (holder === undefined) return error
  const message = `Port ${port} of ${host} is taken by ${holder.command} (pid ${holder.pid}).`
  return new WeirError('PORT_TAKEN', message, {
    hint: `Stop it, or listen elsewhere: --port ${port === 65_535 ? port - 1 : port + 1}.`,
    data: { host, port, pid: holder.pid },
    cause: error,
  })
}
