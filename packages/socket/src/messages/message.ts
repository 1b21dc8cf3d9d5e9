/** What a TLS record carries (RFC 8446, appendix B.1). */
export type ContentType = 'change_cipher_spec' | 'alert' | 'handshake' | 'application_data'

/** One message of the TLS protocol, decrypted. */
export interface TlsMessage {
  readonly direction: 'sent' | 'received'
  /** The protocol agreed on; before that, the version in the record's header. */
  readonly version: 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3' | 'SSLv3'
  /** The true content type: in TLS 1.3, of what was inside. */
  readonly contentType: ContentType
  /** The handshake message's type by its name in the RFCs (`client_hello`, `key_update` …), or its number where it has none here. */
  readonly handshakeType: string | undefined
  /** A handshake message with its four bytes of header, an alert's two bytes, the bytes of other types. */
  readonly bytes: Uint8Array
  /** True where it could not be decrypted (cipher suites with CBC): `bytes` then are as on the wire, without the record's header. */
  readonly encrypted: boolean
}
