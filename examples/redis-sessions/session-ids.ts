// not run by itself: part of service.ts. TLS 1.2 sessions of clients that take no tickets, known to all processes by their session ids.
import type { Server } from 'node:tls'
import { type SessionEntry, type SessionStore, trustKey } from '@x/session-cache'

export interface SharedSessionsOptions {
  readonly store: SessionStore
  /** The server's `sessionIdContext`: a session is found only by servers with the same policy for clients. */
  readonly sessionIdContext: string
  /** Milliseconds; default 5 minutes, as OpenSSL has it. */
  readonly lifetime?: number
}

/** A store that fails costs a full handshake, never a connection. */
export function shareSessions(
  server: Server,
  { store, sessionIdContext, lifetime = 300_000 }: SharedSessionsOptions,
): void {
  const keyOf = (id: Uint8Array): string => trustKey({ sessionIdContext, id })

  async function keep(id: Buffer, session: Buffer, done: () => void): Promise<void> {
    const expires = Date.now() + lifetime
    try {
      await store.add(keyOf(id), {
        session,
        protocol: 'TLSv1.2',
        expires,
        chain: [],
        name: undefined,
        evidence: null,
      })
    } catch (error) {
      console.error('sessions:', error)
    }
    done()
  }

  async function find(id: Buffer, done: (error: Error | null, session: Buffer | null) => void): Promise<void> {
    let entry: SessionEntry | undefined
    try {
      entry = await store.get(keyOf(id))
    } catch (error) {
      console.error('sessions:', error)
    }
    done(null, entry === undefined ? null : Buffer.from(entry.session))
  }

  server.on('newSession', (...event) => void keep(...event)).on('resumeSession', (...event) => void find(...event))
}
