import type { OpenapiDocument } from './document.ts'
import { listOperations, type Operation } from './list-operations.ts'
import { nameOperations } from './name-operations.ts'
import type { OpenapiConfig } from './openapi-config.ts'
import { type OperationPlan, planOperation } from './plan-operation.ts'
import type { ReservedParameters } from './read-parameters.ts'
import { SchemaShelf } from './schema-shelf.ts'
import { countTags, type IdleSelector, selectOperations } from './select-operations.ts'

/** What became of a document. */
export interface Converted {
  /** Operations that the document has. */
  readonly operations: number
  readonly plans: readonly OperationPlan[]
  /** Selected operations that are no tools, and why. */
  readonly leftOut: readonly LeftOut[]
  readonly idle: readonly IdleSelector[]
}

/** An operation that is no tool. */
export interface LeftOut {
  readonly operation: string
  readonly why: string
}

/** What a conversion is told of the API. */
export interface ConversionParts {
  readonly config: OpenapiConfig
  /** Methods that the API's configuration allows. */
  readonly methods: readonly string[]
  readonly reserved: ReservedParameters
  /** Names of other tools of the connection. */
  readonly taken?: ReadonlySet<string>
}

const tagsShown = 12

/** Every selected operation as a plan, or the reason why it is none. Throws TooManyOperations, or an Error about the document. */
export function convertDocument(document: OpenapiDocument, parts: ConversionParts): Converted {
  const { config, methods, reserved, taken } = parts
  const all = listOperations(document)
  const { operations, idle } = selectOperations(all, config)
  const allowed = new Set(methods.includes('GET') ? [...methods, 'HEAD'] : methods)
  const usable = operations.filter(({ method }) => allowed.has(method))
  if (usable.length > config.toolsMax) throw new TooManyOperations(usable, config.toolsMax)
  const names = nameOperations(all, { prefix: config.prefix, ...(taken && { taken }) })
  const planParts = { shelf: new SchemaShelf(document), config, reserved }
  const plans: OperationPlan[] = []
  const leftOut = operations
    .filter(({ method }) => !allowed.has(method))
    .map(({ key, method }): LeftOut => ({ operation: key, why: `the API takes no ${method}` }))
  for (const operation of usable) {
    try {
      plans.push(planOperation(operation, names.get(operation)!, planParts))
    } catch (thrown) {
      leftOut.push({ operation: operation.key, why: (thrown as Error).message })
    }
  }
  return { operations: all.length, plans, leftOut, idle }
}

/** More operations are selected than may become tools. */
export class TooManyOperations extends Error {
  /** How they could be narrowed. */
  readonly hint: string

  constructor(selected: readonly Operation[], toolsMax: number) {
    super(`it selects ${selected.length} operations, and toolsMax is ${toolsMax}`)
    const tags = countTags(selected, tagsShown)
    const byTag = tags === '' ? '' : ` The tags are ${tags}.`
    this.hint = `Narrow it with \`tags\`, \`paths\`, \`operations\` or \`exclude\`, or raise \`toolsMax\`.${byTag}`
  }
}
