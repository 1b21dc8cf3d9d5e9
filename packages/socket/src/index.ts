export { createAgent, type PoolOptions } from './adapters/agent.ts'
export { tlsOptions } from './adapters/driver.ts'
export { createConnection } from './adapters/http2.ts'
export type { SharedOptions } from './adapters/pick.ts'
export { connector, type ConnectorCallback, type ConnectorRequest } from './adapters/undici.ts'
export type { ClientHello } from './client-hello.ts'
export { connect, dial } from './connect.ts'
export type { HandshakeMessage } from './diagnostics.ts'
export {
  type ErrorDetails,
  PeerRefusedError,
  type Phase,
  type RefusalCode,
  SecureSocketError,
  type SecureSocketErrorCode,
} from './errors.ts'
export { clientHelloFingerprint, type HelloFingerprint, type HelloFingerprintOptions } from './hello-fingerprint.ts'
export { listen } from './listen.ts'
export type {
  HelloChoice,
  HelloChooser,
  HostOptions,
  HostsOption,
  ListenOptions,
  ServerOptions,
  StaplerOption,
  TicketKey,
  TicketKeyFunction,
} from './options/server-types.ts'
export type {
  CertificateOption,
  ConnectOptions,
  ContextOptions,
  HandshakeErrorHandler,
  KeyOption,
  PassphraseOption,
  PeerOptions,
  StartTlsDialogue,
  StartTlsOptions,
} from './options/types.ts'
export type {
  RevocationOptions,
  VerifyAnswer,
  VerifyCallback,
  VerifyOptions,
  VerifyQuestion,
} from './options/verify-types.ts'
export type { ContentType, TlsMessage } from './messages/message.ts'
export {
  type DefaultOptions,
  type OptionsFilter,
  setClientDefaults,
  setDefaultContext,
  setDefaults,
  setDefaultSessionCache,
  setOptionsFilter,
  setServerDefaults,
} from './options/defaults.ts'
export { type Features, features } from './options/features.ts'
export type { PskEntry, PskOption } from './options/psk.ts'
export { type ProtocolVersions, protocolVersions } from './options/versions.ts'
export type { OnReadOptions } from './onread.ts'
export type { LineOptions, ReadingOptions } from './reading.ts'
export type { SecureServer, SecureServerEvents } from './secure-server.ts'
export type { CertificateField, CertificateFieldValue } from './peer-info.ts'
export type { Facade, FacadeOptions } from './facade.ts'
export { SecureSocket } from './secure-socket.ts'
export { createSecureContext } from './secure-context.ts'
export { startTls } from './start-tls.ts'
export type { StopTlsOptions } from './stop-tls.ts'
export type { PhaseName } from './state.ts'
export type {
  ChainEvidence,
  CheckName,
  Evidence,
  Failure,
  Outcome,
  Outcomes,
  Verification,
  Waiver,
} from './verify/verification.ts'
