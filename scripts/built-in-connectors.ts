import { createConnectors } from '../src/connectors/index.ts'
import { silentLogger } from '../src/core/logger.ts'
import { createEgress } from '../src/egress/create-egress.ts'
import { compileJsonSchema } from '../src/execution/json-schema-validator.ts'

/** The connectors there are, as a Weir builds them, with parts that touch nothing while they only describe themselves. */
export const builtInConnectors = createConnectors({
  egress: createEgress({ log: silentLogger }),
  hostEnv: {},
  compileSchema: compileJsonSchema,
  importModule: () => Promise.reject(new Error('nothing is loaded here')),
  self: { name: 'weir', version: '0.0.0' },
})
