import manifest from '../../package.json' with { type: 'json' }
import { createConnectors } from '../connectors/index.ts'
import type { Person } from '../core/authorisation.ts'
import { systemClock } from '../core/clock.ts'
import type { AnyConnector } from '../core/connector.ts'
import { createEgress } from '../egress/create-egress.ts'
import type { Egress } from '../egress/egress.ts'
import { compileJsonSchema } from '../execution/json-schema-validator.ts'
import { createLog, type Log } from '../telemetry/log.ts'
import { createMetrics, type Metrics } from '../telemetry/metrics.ts'

/** This release, as package.json has it. */
export const version: string = manifest.version

/** Who Weir says it is, to clients and to upstream servers. */
export const identity = Object.freeze({ name: 'weir', version })

/** What every Weir of a process shares, and what must be there before a configuration can be read. */
export interface Base {
  readonly log: Log
  readonly egress: Egress
  readonly metrics: Metrics
  /** Every kind of system there is: the built-in ones and the embedder's own. */
  readonly connectors: readonly AnyConnector[]
}

/**
 * `hostEnv`: the process's environment, of which upstream servers inherit a short list (S9). `person`: whoever is at
 * hand to agree when an upstream server asks for consent; without one that is done beforehand, by `weir auth`.
 */
export function createBase(options: {
  readonly hostEnv: Readonly<Record<string, string | undefined>>
  readonly connectors?: readonly AnyConnector[]
  readonly person?: Person
  readonly log?: Log
}): Base {
  const log = options.log ?? createLog()
  const egress = createEgress({ log, clock: systemClock })
  const { hostEnv, person } = options
  const metrics = createMetrics()
  const builtIn = createConnectors({
    ...{ egress, hostEnv, self: identity, compileSchema: compileJsonSchema, importModule, metrics },
    ...(person === undefined ? {} : { person }),
  })
  return { log, egress, metrics, connectors: [...builtIn, ...(options.connectors ?? [])] }
}

/** The only place where code is loaded by a name from a file; a bundle leaves it as it is. */
function importModule(url: string): Promise<unknown> {
  return import(url)
}
