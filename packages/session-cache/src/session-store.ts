import type { SessionEntry } from './session-entry.ts'

/**
 * Where sessions are kept: `SessionCache` in memory, `EncryptedSessionStore` outside the process, or one's own (run the cases of
 * `@x/session-cache/compliance` over it).
 *
 * Answers may be promises. Whoever connects needs the entry before the first byte is sent and can wait for it, since a look-up runs
 * beside the name look-up and the TCP handshake; requiring a synchronous answer would rule out every store that several processes
 * share. `SessionCache` answers at once, so that nothing is deferred where nothing has to be.
 *
 * What a store must hold to:
 * - `get` hands out an entry of another protocol than `'TLSv1.2'` once and never again, also to calls made at the same time;
 * - `get` never hands out an entry at or after its `expires`;
 * - `get` answers for exactly this key; the newest entry first;
 * - after `delete(key)` nothing added before is handed out under that key; after `delete(key, session)` not that session (others of
 *   the key may go with it: losing a session costs a full handshake and no more);
 * - a failure is a rejection or a throw, never another entry. Callers take a failure for "no session".
 */
export interface SessionStore<E = unknown> {
  add(key: string, session: SessionEntry<E>): void | Promise<void>
  get(key: string): SessionEntry<E> | undefined | Promise<SessionEntry<E> | undefined>
  delete(key: string, session?: SessionEntry<E>): void | Promise<void>
}
