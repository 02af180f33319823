import type { ReloadPlan } from '../config/plan-reload.ts'
import { isIdle } from '../config/plan-reload.ts'
import { toWeirError } from '../core/error.ts'
import type { CommandContext } from './command-context.ts'
import { type Output, toFailure } from './output.ts'
import type { Serving } from './serving.ts'
import { openSetup } from './setup.ts'

/**
 * Reads the configuration file again and lets the running Weir take it over (R14); gives undefined where the file is not
 * valid, which changes nothing. The sample is never read again.
 */
export async function reload(
  { setup, weir }: Pick<Serving, 'setup' | 'weir'>,
  context: CommandContext,
): Promise<ReloadPlan | undefined> {
  const { output } = context
  if (setup.path === undefined) {
    output.note('There is no configuration file to read again: this is the sample.')
    return undefined
  }
  try {
    const next = await openSetup({ ...context, configPath: setup.path }, setup.base.log)
    const plan = await weir.reload(await next.load())
    tellPlan(plan, setup.path, output)
    return plan
  } catch (thrown) {
    output.fail(toFailure(toWeirError(thrown)))
    output.note('The last valid configuration is still served.')
    return undefined
  }
}

function tellPlan(plan: ReloadPlan, path: string, output: Output): void {
  if (output.isJson) {
    output.json({ event: 'reloaded', ...plan })
    return
  }
  const lines = isIdle(plan) ? ['nothing has changed'] : renderPlan(plan)
  output.note(`Loaded ${path} again: ${lines.join('; ')}.`)
}

/** One line for each kind of change, in words. */
function renderPlan(plan: ReloadPlan): string[] {
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
