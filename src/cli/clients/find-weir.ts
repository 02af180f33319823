import { resolve } from 'node:path'
import { WeirError } from '../../core/error.ts'
import type { CommandContext } from '../command-context.ts'
import { openSetup } from '../setup.ts'
import type { ClientName } from './clients.ts'
import type { WeirAddress } from './render-client-config.ts'

/** Where the configured Weir will listen. Throws INVALID_PARAMS where only its start decides that. */
export async function findWeir(context: CommandContext, client: ClientName): Promise<WeirAddress> {
  const setup = await openSetup(context)
  const { host, port } = setup.server
  await setup.base.egress.close()
  await setup.close()
  if (port === 0 && client !== 'claude-desktop') {
    throw new WeirError('INVALID_PARAMS', 'server.port is 0, so every start takes another port.', {
      hint: 'Give the configuration a fixed port.',
    })
  }
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${port}`
  return { url, configPath: setup.path === undefined ? undefined : resolve(setup.path) }
}
