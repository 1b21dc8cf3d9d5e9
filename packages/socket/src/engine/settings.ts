import type { TLSSocketOptions } from 'node:tls'
import type { PskExchange } from '../options/psk.ts'
import type { ClientSessions } from '../sessions.ts'
import type { ClientOptions } from './node-client.ts'

/** What node:tls is told, by role. Verification is never left to it: it reports, the checks decide. */
export type NativeSettings =
  | {
      readonly role: 'client'
      /** All of them but the transport, the session and the pre-shared key. */
      readonly options: ClientOptions & {
        readonly rejectUnauthorized: false
        readonly checkServerIdentity: () => undefined
      }
      readonly sessions?: ClientSessions | undefined
      readonly psk?: PskExchange | undefined
    }
  | {
      readonly role: 'server'
      readonly options: TLSSocketOptions & { readonly isServer: true; readonly rejectUnauthorized: false }
      readonly psk?: PskExchange | undefined
    }
