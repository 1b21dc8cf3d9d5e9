import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A temporary folder with these files; removed by `dispose`, or at the end of a `using` block. */
export class TemporaryFolder implements Disposable {
  readonly path: string

  constructor(files: Readonly<Record<string, string | Uint8Array>> = {}) {
    this.path = mkdtempSync(join(tmpdir(), 'x-interop-'))
    for (const [name, content] of Object.entries(files)) this.write(name, content)
  }

  file(name: string): string {
    return join(this.path, name)
  }

  /** Writes one file and returns its path. */
  write(name: string, content: string | Uint8Array): string {
    const path = this.file(name)
    writeFileSync(path, content, { mode: 0o600 })
    return path
  }

  dispose(): void {
    rmSync(this.path, { recursive: true, force: true })
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}
