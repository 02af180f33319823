import { type Connection, type Connector, defineConnector } from '../../core/connector.ts'
import type { Tool } from '../../core/tool.ts'
import { AwsAccess, type AwsAccessParts } from '../shared/aws/aws-access.ts'
import { renderAwsEndpoint } from '../shared/aws/aws-endpoint.ts'
import { AwsClients, serviceNames } from './aws-clients.ts'
import { type AwsConfig, awsConfig, serviceKeys } from './aws-config.ts'
import { createDynamodbOperations } from './dynamodb-operations.ts'
import { createLambdaInvoke } from './lambda-invoke.ts'
import { createS3Operations } from './s3-operations.ts'
import { createSecretsGet } from './secrets-get.ts'
import { createSnsPublish } from './sns-publish.ts'
import { createSqsOperations } from './sqs-operations.ts'

/** The connector for AWS (D0-050). It needs no network to open; the SDK is loaded service by service, when first called. */
export function createAwsConnector(parts: Pick<AwsAccessParts, 'egress' | 'hostEnv'>): Connector<AwsConfig> {
  return defineConnector({
    type: 'aws',
    summary:
      'Amazon Web Services: S3, DynamoDB, Lambda, SQS, SNS and Secrets Manager, as far as the config names them.',
    config: awsConfig,
    async open(config, { name, baseDir, signal }): Promise<Connection> {
      signal.throwIfAborted()
      const access = new AwsAccess(config, { ...parts, name, baseDir })
      const targets = createTools(config, new AwsClients(config, access))
      const endpoints = listEndpoints(config)
      return {
        targets: () => targets,
        check: (checked) => access.check(endpoints, checked),
        close: () => access.close(),
      }
    },
  })
}

function createTools(config: AwsConfig, clients: AwsClients): readonly Tool[] {
  const { s3, dynamodb, lambda, sqs, sns, secrets } = config
  return [
    s3 && createS3Operations(clients, config, s3),
    dynamodb && createDynamodbOperations(clients, config, dynamodb),
    lambda && createLambdaInvoke(clients, config, lambda),
    sqs && createSqsOperations(clients, config, sqs),
    sns && createSnsPublish(clients, config, sns),
    secrets && createSecretsGet(clients, config, secrets),
  ].filter((tool) => tool !== undefined)
}

/** What a check asks, and for which service; one emulator for all services is asked once. */
function listEndpoints(config: AwsConfig): ReadonlyMap<string, string> {
  const endpoints = new Map<string, string>()
  for (const key of serviceKeys) {
    const service = config[key]
    if (service === undefined) continue
    const { host, title } = serviceNames[key]
    const url = service.endpoint ?? config.endpoint ?? renderAwsEndpoint(host, config.region)
    const others = endpoints.get(url)
    endpoints.set(url, others === undefined ? title : `${others}, ${title}`)
  }
  return endpoints
}
