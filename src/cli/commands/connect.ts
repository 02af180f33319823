import { listClientFiles } from '../clients/clients.ts'
import { findWeir } from '../clients/find-weir.ts'
import { readClient, readMachine } from '../clients/read-client.ts'
import { renderClientConfig, renderWeirServer } from '../clients/render-client-config.ts'
import type { CommandContext } from '../command-context.ts'
import { exits } from '../exit-codes.ts'

/** `weir connect client`: the command to run, or the text to paste and where; changes nothing itself. */
export async function connect(
  context: CommandContext,
  _options: object,
  [name = '']: readonly string[],
): Promise<number> {
  const client = readClient(name)
  const { output } = context
  const address = await findWeir(context, client)
  if (client === 'claude') {
    const run = `claude mcp add --transport http weir ${address.url}/mcp`
    output.note('Run this:')
    if (output.isJson) output.json({ client, run })
    else output.text(run)
    return exits.ok
  }
  const paste = renderClientConfig(client, { weir: renderWeirServer(client, address) })
  const file = listClientFiles(client, readMachine())[0].path
  output.note(`Put this into ${file}, beside what is there, and start the client again:`)
  output.json(output.isJson ? { client, file, paste } : paste)
  return exits.ok
}
