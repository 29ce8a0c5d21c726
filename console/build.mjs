// Bundles the page into ../src/bareboat/local/console/static, or the folder that is given: the same bytes every time.
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const here = dirname(fileURLToPath(import.meta.url))
const out = resolve(process.argv[2] ?? join(here, '../src/bareboat/local/console/static'))

const made = await build({
  absWorkingDir: here,
  entryPoints: { console: 'src/main.jsx' },
  bundle: true,
  minify: true,
  write: false,
  outdir: out,
  format: 'esm',
  target: ['chrome109', 'firefox115', 'safari16.4'],
  jsx: 'automatic',
  jsxImportSource: 'preact',
  legalComments: 'none', // the licences stand in notices.txt
  charset: 'utf8',
})

mkdirSync(out, { recursive: true })
for (const name of readdirSync(out)) if (/\.(js|css|html|svg|txt)$/.test(name)) rmSync(join(out, name))
const names = {}
for (const file of made.outputFiles) {
  const kind = file.path.endsWith('.css') ? 'css' : 'js'
  names[kind] = `console-${createHash('sha256').update(file.contents).digest('hex').slice(0, 12)}.${kind}`
  writeFileSync(join(out, names[kind]), file.contents)
}
writeFileSync(join(out, 'icon.svg'), readFileSync(join(here, 'src/icon.svg')))
writeFileSync(
  join(out, 'index.html'),
  readFileSync(join(here, 'src/index.html'), 'utf8').replace('{{js}}', names.js).replace('{{css}}', names.css),
)
const notice = (name, licence) => {
  const { version, license, homepage } = JSON.parse(readFileSync(join(here, 'node_modules', name, 'package.json')))
  const text = readFileSync(join(here, 'node_modules', name, licence), 'utf8').trim()
  return `${name} ${version} (${license})${homepage ? `, ${homepage}` : ''}\n\n${text}\n`
}
const line = '\n' + '-'.repeat(80) + '\n\n'
writeFileSync(
  join(out, 'notices.txt'),
  'The console holds these works of others.\n' +
    line +
    [notice('preact', 'LICENSE'), notice('uplot', 'LICENSE')].join(line),
)
