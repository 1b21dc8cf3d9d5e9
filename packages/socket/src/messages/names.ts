import type { ContentType } from './message.ts'

export const CHANGE_CIPHER_SPEC = 20
const ALERT = 21
export const HANDSHAKE = 22
export const APPLICATION_DATA = 23

export const contentTypes: Readonly<Record<number, ContentType>> = {
  [CHANGE_CIPHER_SPEC]: 'change_cipher_spec',
  [ALERT]: 'alert',
  [HANDSHAKE]: 'handshake',
  [APPLICATION_DATA]: 'application_data',
}

export const CLIENT_HELLO = 1
export const SERVER_HELLO = 2
export const FINISHED = 20
export const KEY_UPDATE = 24

/** RFC 8446 section 4, RFC 5246 section 7.4, RFC 5077, RFC 6066, RFC 8879. */
export const handshakeTypes: Readonly<Record<number, string>> = {
  0: 'hello_request',
  [CLIENT_HELLO]: 'client_hello',
  [SERVER_HELLO]: 'server_hello',
  4: 'new_session_ticket',
  5: 'end_of_early_data',
  8: 'encrypted_extensions',
  11: 'certificate',
  12: 'server_key_exchange',
  13: 'certificate_request',
  14: 'server_hello_done',
  15: 'certificate_verify',
  16: 'client_key_exchange',
  [FINISHED]: 'finished',
  22: 'certificate_status',
  [KEY_UPDATE]: 'key_update',
  25: 'compressed_certificate',
}

export const versionNames = {
  0x0300: 'SSLv3',
  0x0301: 'TLSv1',
  0x0302: 'TLSv1.1',
  0x0303: 'TLSv1.2',
  0x0304: 'TLSv1.3',
} as const
