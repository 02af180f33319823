import type { Resolved } from '../../../core/catalog.ts'
import { WeirError } from '../../../core/error.ts'
import { isObject } from '../../../core/parse-json.ts'
import type { Exchange } from '../exchange.ts'
import { renderRead } from '../rendering/render-result.ts'
import { findSoon } from './find-soon.ts'
import type { MethodParts } from './method-parts.ts'
import { readText } from './read-params.ts'
import { runTarget } from './run-target.ts'

/** Answers `resources/read`. The client sees the URI that it asked with, whatever its connection calls it. */
export async function readResource(parts: MethodParts, exchange: Exchange): Promise<string> {
  const { request, revision } = exchange
  const asked = readText('uri', request.params['uri'])
  const { entry, uri: own } = await resolveUri(parts, exchange, asked)
  try {
    return await runTarget(parts, exchange, { entry, input: { uri: own } }, (result) =>
      renderRead(result, { asked, own }, revision, parts.server),
    )
  } catch (thrown) {
    throw saysNotFound(thrown) ? resourceNotFound(asked, thrown) : thrown
  }
}

/** What answers for the URI. Throws RESOURCE_NOT_FOUND. */
export async function resolveUri(
  { catalog }: Pick<MethodParts, 'catalog'>,
  { view }: Pick<Exchange, 'view'>,
  uri: string,
): Promise<Resolved> {
  const resolved = view.resolve(uri) ?? (await findSoon(catalog, () => view.resolve(uri)))
  if (resolved === undefined) throw resourceNotFound(uri)
  return resolved
}

/** The same answer whoever did not know the URI. */
export function resourceNotFound(uri: string, cause?: unknown): WeirError {
  return new WeirError('RESOURCE_NOT_FOUND', `There is no resource ${JSON.stringify(uri.slice(0, 200))}.`, {
    hint: 'resources/list and resources/templates/list name those there are.',
    data: { uri },
    cause,
  })
}

/** Servers of the old era have a code for it; those of the new one name the URI beside a common one. */
function saysNotFound(thrown: unknown): boolean {
  if (!(thrown instanceof WeirError) || thrown.code !== 'UPSTREAM_ERROR') return false
  const { code, data } = thrown.data ?? {}
  return code === -32002 || (code === -32602 && isObject(data) && typeof data['uri'] === 'string')
}
