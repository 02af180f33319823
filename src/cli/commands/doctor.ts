import { openStores } from '../../app.ts'
import type { LoadedConfig } from '../../config/config.ts'
import { isRecord } from '../../config/path.ts'
import { WeirError } from '../../core/error.ts'
import type { Stores } from '../../core/stores.ts'
import { chooseConnections } from '../choose-connections.ts'
import type { CommandContext } from '../command-context.ts'
import { diagnose, type Stage, stageNames } from '../diagnose.ts'
import { exits } from '../exit-codes.ts'
import { watchSignals } from '../interruption.ts'
import type { Output } from '../output.ts'
import { renderTable } from '../render-table.ts'
import { openSetup, type Setup } from '../setup.ts'

interface Finding {
  readonly name: string
  readonly ok: boolean
  readonly stages: readonly Stage[]
}

/** Programs that start at once compete for the machine, and would seem slow. */
const atOnceMax = 8

/** `weir doctor [connection]`: how far each connection comes, and what to do where it is stuck (D3-110). */
export async function doctor(
  context: CommandContext,
  _options: object,
  [only]: readonly string[],
): Promise<number> {
  const { output } = context
  let setup: Setup
  try {
    setup = await openSetup(context)
  } catch (error) {
    if (!(error instanceof WeirError) || error.code !== 'CONFIG_INVALID') throw error
    show([{ name: '(file)', ok: false, stages: diagnoseFile(error) }], output)
    return exits.invalidConfig
  }
  const { signal } = watchSignals()
  try {
    const loaded = await setup.load()
    setup.base.log.configure({ ...loaded.config.log, level: 'silent', redact: (line) => line })
    const names = chooseConnections(Object.keys(loaded.config.connections), only)
    const stores = openStores(setup.base, loaded)
    const findings = await examine(setup, loaded, { names, stores, signal }).finally(() => stores.close())
    if (signal.aborted) return exits.interrupted
    show(
      findings.map((finding) => redact(finding, output)),
      output,
    )
    return findings.every(({ ok }) => ok) ? exits.ok : exits.unreachable
  } finally {
    await setup.base.egress.close()
    await setup.close()
  }
}

interface Examination {
  readonly names: readonly string[]
  readonly stores: Stores
  readonly signal: AbortSignal
}

async function examine(
  { base }: Setup,
  { config, baseDir }: LoadedConfig,
  { names, stores, signal }: Examination,
): Promise<readonly Finding[]> {
  const findings: Finding[] = []
  const left = [...names.entries()]
  const work = async () => {
    for (let next = left.shift(); next !== undefined && !signal.aborted; next = left.shift()) {
      const [index, name] = next
      const { type, config: own } = config.connections[name]!
      const connector = base.connectors.find((known) => known.type === type)!
      const stages = await diagnose({
        name,
        config: own,
        connector,
        baseDir,
        credentials: stores.credentials,
        signal,
      })
      findings[index] = { name, ok: stages.every(({ state }) => state !== 'failed'), stages }
    }
  }
  await Promise.all(Array.from({ length: atOnceMax }, work))
  return findings
}

/** A file that cannot be used: stuck in `env` where nothing but variables is missing. */
function diagnoseFile({ data, message, hint }: WeirError): readonly Stage[] {
  const problems = Array.isArray(data?.['problems']) ? data['problems'] : []
  const isUnset = (problem: unknown) =>
    isRecord(problem) && /^the variable \S+ is not set$/.test(String(problem['message']))
  const stuck = problems.length > 0 && problems.every(isUnset) ? 'env' : 'config'
  const at = stageNames.indexOf(stuck)
  const cure = stuck === 'env' ? 'Set the variables that are named, and try again.' : hint
  return stageNames.map((stage, index) => ({
    stage,
    state: index < at ? 'ok' : index === at ? 'failed' : 'skipped',
    ...(index === at ? { message, ...(cure === undefined ? {} : { cure }) } : {}),
  }))
}

/** A driver may quote the whole address it could not reach. */
function redact({ stages, ...finding }: Finding, output: Output): Finding {
  const cover = ({ message, cure, ...stage }: Stage): Stage => ({
    ...stage,
    ...(message === undefined ? {} : { message: output.redact(message) }),
    ...(cure === undefined ? {} : { cure: output.redact(cure) }),
  })
  return { ...finding, stages: stages.map(cover) }
}

function show(findings: readonly Finding[], output: Output): void {
  if (output.isJson) {
    output.json({ ok: findings.every(({ ok }) => ok), connections: findings })
    return
  }
  const rows = findings.flatMap(({ name, stages }) =>
    // What a connection does not pass, or never came to, tells people nothing.
    stages
      .filter(({ state }) => state !== 'skipped')
      .map(({ stage, state, ms, message = '' }) => ({
        connection: name,
        stage,
        state,
        time: ms === undefined ? '' : `${ms} ms`,
        message,
      })),
  )
  if (rows.length > 0) output.text(renderTable(rows, output.lineLimit))
  for (const { name, stages } of findings) {
    for (const { stage, message, cure } of stages.filter(({ state }) => state === 'failed')) {
      output.note(`\n${name}, ${stage}: ${message}\n  cure: ${cure}`)
    }
  }
}
