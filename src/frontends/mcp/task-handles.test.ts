import { expect, it } from 'vitest'
import { WeirError } from '../../core/error.ts'
import { createSeal } from '../shared/seal.ts'
import { createTaskHandles } from './task-handles.ts'

const ada = { subject: 'ada', tenant: 't' }
const task = { tool: 'box:job', taskId: 'upstream-1' }
const handles = createTaskHandles(createSeal('task', 'a shared key of Weir'))
const handle = handles.seal(task, ada)

it('D2-096: a handle opens for the caller it was made for, in every process that has the key', () => {
  expect(handles.open(handle, ada)).toEqual(task)
  const other = createTaskHandles(createSeal('task', 'a shared key of Weir'))
  expect(other.open(handle, ada)).toEqual(task)
})

it.each<[string, string, { subject: string; tenant: string }, typeof handles]>([
  ['of another subject', handle, { ...ada, subject: 'bob' }, handles],
  ['of another tenant', handle, { ...ada, tenant: 'u' }, handles],
  ['that was changed', `${handle.slice(0, -1)}${handle.endsWith('A') ? 'B' : 'A'}`, ada, handles],
  ['that is the upstream’s own id', 'upstream-1', ada, handles],
  ['that is empty', '', ada, handles],
  [
    'sealed for another use',
    createSeal('session', 'a shared key of Weir').seal([task.tool, task.taskId, 't', 'ada']),
    ada,
    handles,
  ],
  ['sealed with another key', handle, ada, createTaskHandles(createSeal('task', undefined))],
  ['with other contents', createSeal('task', 'a shared key of Weir').seal({ tool: 'x' }), ada, handles],
])('S6: a handle %s is no task', (_, given, caller, opener) => {
  const open = () => opener.open(given, caller)
  expect(open).toThrow(WeirError)
  expect(open).toThrow('There is no such task.')
})
