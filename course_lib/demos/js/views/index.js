import { trellis } from "./trellis.js";

export const views = { trellis };
