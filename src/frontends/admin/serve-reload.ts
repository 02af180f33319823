import type { FastifyInstance, RouteShorthandOptions } from 'fastify'
import { WeirError } from '../../core/error.ts'
import { isObject, parseJson } from '../../core/parse-json.ts'
import { requireOperator } from './require-operator.ts'

/** `POST /api/admin/reload`: takes the configuration file over (R14); with `{"dry_run": true}` only says what would change. */
export function serveReload(
  server: FastifyInstance,
  reload: (isDryRun: boolean) => Promise<unknown>,
  options: RouteShorthandOptions,
): void {
  server.post('/api/admin/reload', options, async (request) => {
    requireOperator(request)
    const isDryRun = readDryRun(request.body)
    return { dry_run: isDryRun, plan: await reload(isDryRun) }
  })
}

function readDryRun(body: unknown): boolean {
  if (typeof body !== 'string' || body === '') return false
  const parsed = parseJson(body)
  const { dry_run: isDryRun = false, ...rest } = isObject(parsed) ? parsed : { parsed }
  if (typeof isDryRun === 'boolean' && Object.keys(rest).length === 0) return isDryRun
  throw new WeirError('INVALID_REQUEST', 'The body is no {"dry_run": true}.', {
    hint: 'Send nothing, or whether nothing is to be changed.',
  })
}
