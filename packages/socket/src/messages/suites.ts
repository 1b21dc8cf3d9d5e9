/** How a cipher suite with authenticated encryption protects records. */
export interface Suite {
  readonly cipher: 'aes-128-gcm' | 'aes-256-gcm' | 'aes-128-ccm' | 'chacha20-poly1305'
  readonly keyLength: 16 | 32
  readonly tagLength: 8 | 16
  readonly hash: 'sha256' | 'sha384'
}

const aes128gcm: Suite = { cipher: 'aes-128-gcm', keyLength: 16, tagLength: 16, hash: 'sha256' }
const aes256gcm: Suite = { cipher: 'aes-256-gcm', keyLength: 32, tagLength: 16, hash: 'sha384' }
const chacha: Suite = { cipher: 'chacha20-poly1305', keyLength: 32, tagLength: 16, hash: 'sha256' }

/** RFC 8446 appendix B.4; RFC 5288, 5289, 5487 and 8442 (GCM), RFC 7905 (ChaCha20). By IANA's numbers. */
export const suites: ReadonlyMap<number, Suite> = new Map<number, Suite>([
  [0x1301, aes128gcm],
  [0x1302, aes256gcm],
  [0x1303, chacha],
  [0x1304, { ...aes128gcm, cipher: 'aes-128-ccm' }],
  [0x1305, { ...aes128gcm, cipher: 'aes-128-ccm', tagLength: 8 }],
  ...[0x009c, 0x009e, 0x00a8, 0x00aa, 0x00ac, 0xc02b, 0xc02f, 0xd001].map((id) => [id, aes128gcm] as const),
  ...[0x009d, 0x009f, 0x00a9, 0x00ab, 0x00ad, 0xc02c, 0xc030, 0xd002].map((id) => [id, aes256gcm] as const),
  ...[0xcca8, 0xcca9, 0xccaa, 0xccab, 0xccac, 0xccad, 0xccae].map((id) => [id, chacha] as const),
])
