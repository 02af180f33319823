import { isObject } from '../../../core/parse-json.ts'
import type { OpenapiDocument } from './document.ts'
import type { Node } from './parse-document.ts'

/** Methods that OpenAPI knows; the last two are never tools. */
const methods = ['get', 'head', 'post', 'put', 'patch', 'delete', 'options', 'trace'] as const

/** One operation of a document, as it stands there. */
export interface Operation {
  /** Upper case. */
  readonly method: string
  readonly path: string
  /** `GET /pets/{petId}`: what it is called where it has no id. */
  readonly key: string
  readonly id: string | undefined
  readonly tags: readonly string[]
  readonly node: Node
  readonly pathItem: Node
}

const operationsMax = 20_000

/** Every operation, ordered by path and method. Throws an Error for more than anybody could use. */
export function listOperations(document: OpenapiDocument): readonly Operation[] {
  const { paths } = document.root
  const operations: Operation[] = []
  for (const path of Object.keys(isObject(paths) ? paths : {}).sort()) {
    const pathItem = followOr(document, (paths as Node)[path])
    if (pathItem === undefined || path.startsWith('x-')) continue
    for (const method of methods) {
      const node = pathItem[method]
      if (isObject(node)) operations.push(readOperation(method.toUpperCase(), path, node, pathItem))
    }
    if (operations.length > operationsMax) throw new Error(`it has more than ${operationsMax} operations`)
  }
  return operations
}

function followOr(document: OpenapiDocument, value: unknown): Node | undefined {
  try {
    return document.follow(value)
  } catch {
    return undefined
  }
}

function readOperation(method: string, path: string, node: Node, pathItem: Node): Operation {
  const { operationId, tags } = node
  return {
    ...{ method, path, node, pathItem },
    key: `${method} ${path}`,
    id: typeof operationId === 'string' && operationId.trim() !== '' ? operationId : undefined,
    tags: Array.isArray(tags) ? tags.filter((tag): tag is string => typeof tag === 'string') : [],
  }
}
