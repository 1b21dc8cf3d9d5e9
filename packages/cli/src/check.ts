import { once } from 'node:events'
import { type ConnectOptions, dial, type Failure, type Outcomes, PeerRefusedError, type SecureSocket } from '@x/socket'
import { describeCertificate, fingerprint } from '@x/utils'
import type { CertificateReport, CheckReport, Report } from './report.ts'

/** Connects once and reports what was checked and with what result; never rejects because of the server. */
export async function checkServer(options: ConnectOptions): Promise<Report> {
  const socket = dial(options)
  try {
    await once(socket, 'ready')
    const report = accepted(socket, options)
    socket.end()
    return report
  } catch (error) {
    if (error instanceof TypeError) throw error
    return failed(socket, options, error as Error)
  } finally {
    socket.destroy()
  }
}

function accepted(socket: SecureSocket, options: ConnectOptions): Report {
  const { outcomes, resumed } = socket.verification as NonNullable<SecureSocket['verification']>
  const { name, version, standardName } = socket.getCipher()
  return {
    ...target(options),
    verified: socket.authorized,
    protocol: socket.getProtocol() ?? version,
    cipher: standardName ?? name,
    alpn: socket.alpnProtocol || undefined,
    resumed,
    chain: certificates(socket),
    checks: checks(outcomes),
  }
}

function failed(
  socket: SecureSocket,
  options: ConnectOptions,
  error: Error & { code?: string; phase?: string; hint?: string },
): Report {
  return {
    ...target(options),
    verified: false,
    chain: certificates(socket),
    checks: error instanceof PeerRefusedError ? checks(error.outcomes) : [],
    error: {
      code: error.code ?? error.name,
      message: error.message,
      ...(error.phase === undefined ? {} : { phase: error.phase }),
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    },
  }
}

function target({ host, port }: ConnectOptions): { host: string; port: number } {
  return { host: host ?? '', port: Number(port) }
}

function certificates(socket: SecureSocket): readonly CertificateReport[] {
  return socket.peerCertificates().map((certificate) => {
    const { notBefore, notAfter, subjectAltNames } = describeCertificate(certificate)
    return {
      subject: certificate.subject?.replaceAll('\n', ', ') ?? '',
      issuer: certificate.issuer?.replaceAll('\n', ', ') ?? '',
      notBefore: new Date(notBefore).toISOString(),
      notAfter: new Date(notAfter).toISOString(),
      names: subjectAltNames.map(
        ([type, value]) => `${type}:${typeof value === 'string' ? value : JSON.stringify(value)}`,
      ),
      fingerprint: fingerprint(certificate),
    }
  })
}

function checks(outcomes: Outcomes): readonly CheckReport[] {
  return Object.entries(outcomes).map(([check, outcome]) => ({
    check,
    result: outcome.result,
    detail: detail(outcome),
    failures:
      outcome.result === 'passed'
        ? []
        : outcome.failures.map(({ code, depth, error }: Failure) => ({ code, depth, message: error.message })),
  }))
}

function detail(outcome: NonNullable<Outcomes[keyof Outcomes]>): Readonly<Record<string, unknown>> {
  switch (outcome.result) {
    case 'passed': {
      const { evidence } = outcome
      if ('anchor' in evidence)
        return { anchor: evidence.anchor, proven: evidence.proven, length: evidence.path.length }
      return { ...evidence }
    }
    case 'waived':
      return { ...outcome.waiver }
    case 'refused':
      return {}
    default:
      return outcome satisfies never
  }
}
