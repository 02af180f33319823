import type { AnyConnector } from '../core/connector.ts'
import type { Egress } from '../egress/egress.ts'

/** What connectors are built with. */
export interface ConnectorParts {
  readonly egress: Egress
  /** The process's environment, of which child processes inherit a short list (S9). */
  readonly hostEnv: Readonly<Record<string, string | undefined>>
}

/** Every kind of system Weir reaches. A new one is one import and one entry here. */
export function createConnectors(_parts: ConnectorParts): readonly AnyConnector[] {
  return []
}
