import { dirname, resolve } from 'node:path'
import { exportServers } from '../clients/export-servers.ts'
import { findWeir } from '../clients/find-weir.ts'
import { readClient } from '../clients/read-client.ts'
import { readConfigText } from '../clients/read-config-text.ts'
import { renderClientConfig, renderWeirServer } from '../clients/render-client-config.ts'
import type { CommandContext } from '../command-context.ts'
import { exits } from '../exit-codes.ts'
import { defaultConfigPath } from '../setup.ts'

interface ExportOptions {
  readonly to: string
  readonly servers?: boolean
}

/** `weir export --to client`: what the client's file must hold to reach this Weir, or instead its servers. */
export async function exportClient(
  context: CommandContext,
  { to, servers = false }: ExportOptions,
): Promise<number> {
  const client = readClient(to)
  const { output, configPath: path = defaultConfigPath } = context
  if (!servers) {
    const weir = renderWeirServer(client, await findWeir(context, client))
    output.json(renderClientConfig(client, { weir }))
    return exits.ok
  }
  const source = { text: readConfigText(path), path, baseDir: dirname(resolve(path)) }
  const exported = exportServers(source, client)
  for (const [name, why] of exported.left) output.tell('warning', `${name} is not exported: ${why}.`)
  output.json(renderClientConfig(client, exported.servers, exported.inputs))
  return exits.ok
}
