import { readOperatorToken } from '../../app.ts'
import type { ReloadPlan } from '../../config/plan-reload.ts'
import { WeirError } from '../../core/error.ts'
import { isObject } from '../../core/parse-json.ts'
import type { CommandContext } from '../command-context.ts'
import { exits } from '../exit-codes.ts'
import { renderPlan } from '../reload.ts'
import { openSetup } from '../setup.ts'

/** New connections open before the answer comes, for at most ten seconds. */
const answerMs = 30_000

/** `weir reload`: lets the running Weir take the file over, or with `--dry-run` says what that would change (R14). */
export async function reload(
  context: CommandContext,
  { dryRun = false }: { readonly dryRun?: boolean },
): Promise<number> {
  const { output } = context
  const setup = await openSetup(context)
  try {
    if (setup.path === undefined) throw noFile()
    const { host, port } = setup.server
    const url = `http://${host.includes(':') ? `[${host}]` : host}:${port}/api/admin/reload`
    const token = process.env['WEIR_TOKEN'] || (await readOperatorToken(await setup.load()))
    const client = setup.base.egress.client({ name: 'cli', allowPrivate: true })
    const answer = await client
      .request(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token ?? ''}` },
        body: JSON.stringify({ dry_run: dryRun }),
        headersTimeoutMs: answerMs,
        totalTimeoutMs: answerMs,
      })
      .catch((cause: unknown) => {
        throw noWeir(url, cause)
      })
    const body: unknown = JSON.parse(answer.body.toString('utf8'))
    if (answer.status !== 200) throw refused(body)
    const { plan } = body as { readonly plan: ReloadPlan }
    if (output.isJson) output.json({ dry_run: dryRun, plan })
    else output.text(`${dryRun ? 'Would change' : 'Changed'}: ${renderPlan(plan)}`)
    return exits.ok
  } finally {
    await setup.close()
    await setup.base.egress.close()
  }
}

function noFile(): WeirError {
  return new WeirError('CONFIG_NOT_FOUND', 'There is no weir.yaml here to take over.', {
    hint: 'Give its path with --config.',
  })
}

function noWeir(url: string, cause: unknown): WeirError {
  return new WeirError('UPSTREAM_UNREACHABLE', `No Weir answers at ${new URL(url).origin}.`, {
    hint: 'Start it with `weir start`; it listens where the configuration file says.',
    cause,
  })
}

/** What the running Weir said; its file may be another one, or not valid. */
function refused(body: unknown): WeirError {
  const error = isObject(body) && isObject(body['error']) ? body['error'] : {}
  const { code, message, hint } = error
  const known = code === 'CONFIG_INVALID' || code === 'CONFIG_NOT_FOUND' ? code : 'OPERATOR_ONLY'
  return new WeirError(known, typeof message === 'string' ? message : 'Weir did not reload.', {
    ...(typeof hint === 'string' ? { hint } : {}),
  })
}
