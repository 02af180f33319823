import { isObject } from '../../../core/parse-json.ts'
import type { Node } from './parse-document.ts'

/** Where a document says that its API lives: the first of its servers that is a whole URL, or one relative to `source`. */
export function suggestBaseUrl(root: Node, source: string): string | undefined {
  const servers: readonly unknown[] = Array.isArray(root['servers']) ? root['servers'] : []
  for (const server of servers) {
    const url = isObject(server) ? fillVariables(server) : undefined
    const parsed = url === undefined ? null : URL.parse(url, URL.parse(source)?.href)
    if (parsed !== null && /^https?:$/.test(parsed.protocol))
      return parsed.href.replace(/\/$/, '').slice(0, 500)
  }
  return undefined
}

function fillVariables({ url, variables }: Node): string | undefined {
  if (typeof url !== 'string') return undefined
  return url.replace(/\{([^{}]*)\}/g, (whole, name: string) => {
    const variable = isObject(variables) ? variables[name] : undefined
    const value = isObject(variable) ? variable['default'] : undefined
    return typeof value === 'string' ? value : whole
  })
}
