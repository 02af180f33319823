import type { LoadedConfig } from '../../config/config.ts'
import { WeirError } from '../../core/error.ts'
import type { CommandContext } from '../command-context.ts'
import { exits } from '../exit-codes.ts'
import { defaultConfigPath, openSetup } from '../setup.ts'

/** `weir validate`: what is wrong is the data here, so it goes to stdout. */
export async function validate(context: CommandContext): Promise<number> {
  const { output } = context
  const path = context.configPath ?? defaultConfigPath
  try {
    const setup = await openSetup({ ...context, configPath: path })
    report(await setup.load(), path, context)
    return exits.ok
  } catch (error) {
    if (!(error instanceof WeirError) || error.code !== 'CONFIG_INVALID') throw error
    if (output.isJson) output.json({ valid: false, path, problems: error.data?.['problems'] ?? [] })
    else output.text(error.message)
    return exits.invalidConfig
  }
}

function report({ config, warnings }: LoadedConfig, path: string, { output }: CommandContext): void {
  const connections = Object.keys(config.connections).length
  const policies = Object.keys(config.policies).length
  if (output.isJson) {
    output.json({ valid: true, path, connections, policies, warnings })
    return
  }
  for (const warning of warnings) output.tell('warning', warning)
  output.text(`${path}: ok, ${count(connections, 'connection')}, ${count(policies, 'policy', 'policies')}`)
}

function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`
}
