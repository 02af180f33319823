import type { ReloadPlan } from '../config/plan-reload.ts'
import { isIdle } from '../config/plan-reload.ts'
import { toWeirError } from '../core/error.ts'
import type { CommandContext } from './command-context.ts'
import { type Output, toFailure } from './output.ts'
import type { Serving } from './serving.ts'

/**
 * Reads the configuration file again and lets the running Weir take it over (R14); gives undefined where the file is not
 * valid, which changes nothing. The sample is never read again.
 */
export async function reload(
  { setup, weir }: Pick<Serving, 'setup' | 'weir'>,
  { output }: CommandContext,
): Promise<ReloadPlan | undefined> {
  if (setup.reread === undefined || setup.path === undefined) {
    output.note('There is no configuration file to read again: this is the sample.')
    return undefined
  }
  try {
    const plan = await weir.reload(await setup.reread())
    tellPlan(plan, setup.path, output)
    return plan
  } catch (thrown) {
    output.fail(toFailure(toWeirError(thrown)))
    output.note('The last valid configuration is still served.')
    return undefined
  }
}

/** Says what was changed, or `--dry-run` would be. */
export function renderPlan(plan: ReloadPlan): string {
  return (isIdle(plan) ? ['nothing has changed'] : listChanges(plan)).join('; ')
}

function tellPlan(plan: ReloadPlan, path: string, output: Output): void {
  if (output.isJson) {
    output.json({ event: 'reloaded', ...plan })
    return
  }
  output.note(`Loaded ${path} again: ${renderPlan(plan)}.`)
}

/** One line for each kind of change, in words. */
function listChanges(plan: ReloadPlan): string[] {
  const named = (['connections', 'toolsets', 'policies'] as const).flatMap((block) =>
    (['added', 'changed', 'removed'] as const)
      .filter((how) => plan[block][how].length > 0)
      .map((how) => `${block} ${how}: ${plan[block][how].join(', ')}`),
  )
  return [
    ...named,
    ...(plan.applied.length === 0 ? [] : [`taken over: ${plan.applied.join(', ')}`]),
    ...(plan.atNextStart.length === 0 ? [] : [`only at the next start: ${plan.atNextStart.join(', ')}`]),
  ]
}
