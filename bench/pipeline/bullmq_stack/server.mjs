// The web side: Fastify streams the upload to a file and adds a job to the queue.
import { randomUUID } from "node:crypto";
import { createWriteStream } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import multipart from "@fastify/multipart";
import { Queue } from "bullmq";
import Fastify from "fastify";
import { Redis } from "ioredis";

const data = process.env.DATA;
const connection = new Redis(process.env.REDIS_URL, { maxRetriesPerRequest: null });
const queue = new Queue("images", { connection });
const server = Fastify();
await server.register(multipart, { limits: { fileSize: 64 * 1024 * 1024 } });

server.post("/upload", async (request, reply) => {
  const file = await request.file();
  const id = randomUUID();
  const source = join(data, `${id}.jpg`);
  await pipeline(file.file, createWriteStream(source));
  await queue.add("mill", { source, target: join(data, `processed_${id}.jpg`) }, { jobId: id, attempts: 3 });
  reply.code(202);
  return { message: "Image uploaded successfully.", task_id: id, filename: file.filename };
});

server.get("/status/:id", async (request) => {
  const job = await queue.getJob(request.params.id);
  const state = job ? await job.getState() : "unknown";
  const status = { completed: "COMPLETED", failed: "FAILED" }[state] ?? "PROCESSING";
  return { task_id: request.params.id, status };
});

server.get("/readyz", async () => ({ status: "ready" }));

await server.listen({ host: "127.0.0.1", port: Number(process.env.PORT) });
