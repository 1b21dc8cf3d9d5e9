import type { CertificateInput } from './certificate-input.ts'
import { HostnameVerificationError, invalidArgument } from './errors.ts'
import { resolvePolicy, type VerifyHostnameOptions } from './options.ts'
import { refusalError } from './refusal.ts'
import { judge } from './verify-hostname.ts'

/**
 * A `checkServerIdentity` for tls.connect, https.request, undici's `connect` and the drivers that take TLS options.
 * What it returns for a wrong name is a {@link HostnameVerificationError} under Node's code ERR_TLS_CERT_ALTNAME_INVALID,
 * with Node's `reason`, `host` and `cert`. It never throws, since Node would not catch that.
 *
 * Node does not call it on a resumed session: see the README for what to do about an https.Agent's session cache.
 * @throws TypeError and HostnameVerificationError at once, for options that are wrong: see {@link verifyHostname}.
 */
export function createCheckServerIdentity(
  options?: VerifyHostnameOptions,
): (hostname: string, peerCertificate: CertificateInput) => Error | undefined {
  const policy = resolvePolicy(options)
  return (hostname, peerCertificate) => {
    try {
      if (policy.scheme.kind !== 'none' && isMissing(peerCertificate))
        return new HostnameVerificationError('ERR_HOSTNAME_NO_CERTIFICATE', 'The peer sent no certificate', {
          host: hostname,
          scheme: policy.scheme.name,
          cert: peerCertificate,
        })
      const verdict = judge(peerCertificate, hostname, policy)
      if (!('code' in verdict)) return undefined
      const error = refusalError(verdict)
      return error.code === 'ERR_HOSTNAME_MISMATCH' || error.code === 'ERR_HOSTNAME_INVALID_HOST'
        ? asNode(error)
        : error
    } catch (error) {
      return error instanceof Error ? error : invalidArgument('ERR_INVALID_ARG_VALUE', 'checkServerIdentity failed')
    }
  }
}

/** node:tls says so with undefined, null or an empty object. */
function isMissing(certificate: unknown): boolean {
  return (
    certificate === undefined ||
    certificate === null ||
    (typeof certificate === 'object' &&
      !(certificate instanceof Uint8Array) &&
      !('raw' in certificate) &&
      Object.keys(certificate).length === 0)
  )
}

function asNode(error: HostnameVerificationError): HostnameVerificationError {
  const { reason, host, scheme, presented, reasons, cert } = error
  return new HostnameVerificationError('ERR_TLS_CERT_ALTNAME_INVALID', reason, {
    host,
    scheme,
    presented,
    reasons,
    cert,
    cause: error,
  })
}
