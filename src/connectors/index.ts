import type { Person } from '../core/authorisation.ts'
import type { AnyConnector } from '../core/connector.ts'
import type { JsonSchema, SchemaIssue } from '../core/schema.ts'
import type { Egress } from '../egress/egress.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { createAwsConnector } from './aws/aws.ts'
import { createAzureConnector } from './azure/azure.ts'
import { createCustomConnector } from './custom/custom.ts'
import { email } from './email/email.ts'
import { createGcsConnector } from './gcs/gcs.ts'
import { createHttpConnector } from './http/http.ts'
import { createMcpConnector } from './mcp/mcp.ts'
import { createQueueConnector } from './queue/queue.ts'
import { createRestDialectConnector } from './rest-dialect/rest-dialect.ts'
import { createSqlConnector } from './sql/sql.ts'

/** What connectors are built with. */
export interface ConnectorParts {
  readonly egress: Egress
  /**
   * Compiles a JSON Schema that somebody else wrote. What it gives checks a value, and names at most ten faults, none
   * where the value fits. Throws an Error for what is no schema, or one too costly to check. Not cheap: keep the result.
   */
  readonly compileSchema: (schema: JsonSchema) => (value: unknown) => readonly SchemaIssue[]
  /** The process's environment, of which child processes inherit a short list (S9). */
  readonly hostEnv: Readonly<Record<string, string | undefined>>
  /** Who Weir says it is to other servers. */
  readonly self: { readonly name: string; readonly version: string }
  /** Imports the code of a file, which the operator named, by its URL. */
  readonly importModule: (url: string) => Promise<unknown>
  /** Where connectors count what no stage can see. */
  readonly metrics?: Metrics
  /** Who is at hand to agree when an upstream server asks for consent. */
  readonly person?: Person
}

/** Every kind of system Weir reaches. A new one is one import and one entry here. */
export function createConnectors(parts: ConnectorParts): readonly AnyConnector[] {
  return [
    createSqlConnector(parts),
    createHttpConnector(parts),
    createAwsConnector(parts),
    createAzureConnector(parts),
    createGcsConnector(parts),
    createQueueConnector(parts),
    email,
    createMcpConnector(parts),
    createRestDialectConnector(parts),
    createCustomConnector(parts),
  ]
}
