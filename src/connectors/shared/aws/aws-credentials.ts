/** What requests are signed with. */
export interface AwsCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
  /** When they end; absent: nobody knows. */
  readonly expiration?: Date
}

/** Obtains credentials. Rejects with a WeirError that holds none of them. */
export type CredentialSource = () => Promise<AwsCredentials>
