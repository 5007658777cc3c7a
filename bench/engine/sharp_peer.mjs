// sharp as a peer of the engine benchmark: one job a line of standard input, one answer a line of standard output.
import { readFileSync, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import sharp from 'sharp'

sharp.concurrency(1)
sharp.cache(false)

const jobs = {
  gray_blur: (image, { sigma }) => image.grayscale().blur(sigma).jpeg({ quality: 75 }),
  gray_blur_png: (image, { sigma }) => image.grayscale().blur(sigma).png(),
  thumbnail: (image, { width }) => image.resize(width).jpeg({ quality: 75 }),
  webp: (image) => image.webp({ quality: 80, effort: 4 }),
  avif: (image) => image.avif({ quality: 60, effort: 4 })
}

async function run(job, input) {
  const upright = sharp(input).autoOrient()
  if (job.name !== 'web') return [await jobs[job.name](upright, job).toBuffer()]
  return Promise.all(job.widths.flatMap((width) => [
    upright.clone().resize(width).webp({ quality: 80, effort: 4 }).toBuffer(),
    upright.clone().resize(width).jpeg({ quality: 75 }).toBuffer()
  ]))
}

for await (const line of createInterface({ input: process.stdin })) {
  const job = JSON.parse(line)
  const input = readFileSync(job.input)
  let outputs
  for (let turn = 0; turn < job.repeat; turn++) outputs = await run(job, input)
  outputs.forEach((output, index) => writeFileSync(`${job.output}.${index}`, output))
  console.log(outputs.length)
}
