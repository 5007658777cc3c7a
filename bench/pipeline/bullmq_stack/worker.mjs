// The worker's side: BullMQ and sharp, one job a core, one thread a job, as sharp advises where jobs run side by side.
import { Worker } from "bullmq";
import { Redis } from "ioredis";
import sharp from "sharp";

sharp.concurrency(1);
sharp.cache(false);
const connection = new Redis(process.env.REDIS_URL, { maxRetriesPerRequest: null });

const worker = new Worker(
  "images",
  async (job) => {
    await sharp(job.data.source).autoOrient().grayscale().blur(2).jpeg({ quality: 75 }).toFile(job.data.target);
  },
  { connection, concurrency: Number(process.env.CONCURRENCY) },
);
await worker.waitUntilReady();
