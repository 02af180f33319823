import { jsonSchema } from '../../../core/schema.ts'
import type { ReadInput, Resource, ResourceTemplate } from '../../../core/tool.ts'
import { completionOf } from './complete-argument.ts'
import { describeTarget } from './describe-target.ts'
import { compileUriTemplate } from './match-uri-template.ts'
import type { Definition } from './read-list.ts'
import { readResource } from './read-resource.ts'
import type { TargetSettings } from './target-settings.ts'
import type { Listed } from './upstream-list.ts'

/** Longer ones fit no header, and no browser's address line either. */
const uriCharsMax = 4_096
const input = jsonSchema<ReadInput>({
  type: 'object',
  properties: { uri: { type: 'string', description: 'What to read.' } },
  required: ['uri'],
})

/** A resource of the upstream. Throws UPSTREAM_PROTOCOL where it has to be left out, saying why. */
export function toResource(uri: string, definition: Definition, settings: TargetSettings): Listed<Resource> {
  const { text, shared } = describeTarget(uri, uriCharsMax, definition)
  return { text, target: { ...shared, ...readable(settings), kind: 'resource' } }
}

/** A template of the upstream. One that is no URI template is served like any other, and no URI is of its form. */
export function toTemplate(
  uriTemplate: string,
  definition: Definition,
  settings: TargetSettings,
): Listed<ResourceTemplate> {
  const { text, shared } = describeTarget(uriTemplate, uriCharsMax, definition)
  const target: ResourceTemplate = {
    ...{ ...shared, ...readable(settings), kind: 'resource-template' },
    matches: compileUriTemplate(uriTemplate),
    ...completionOf(uriTemplate, { type: 'ref/resource', uri: uriTemplate }, settings),
  }
  return { text, target }
}

/** Servers answer for URIs that they never list: everything else there is to read of this one. */
export function createUnlisted(settings: TargetSettings): ResourceTemplate {
  const description = 'What the server answers for beside what it lists.'
  const shared = { name: '{+uri}', description, ...readable(settings) }
  return { ...shared, kind: 'resource-template', isUnlisted: true, matches: () => true }
}

function readable({ client, timeoutMs }: TargetSettings) {
  const run: Resource['run'] = ({ uri }, context) => readResource(client, uri, context)
  return { effect: 'read', input, timeoutMs, run } as const
}
