import { chain } from "./chain.js";
import { em } from "./em.js";
import { quiz } from "./quiz.js";
import { trellis } from "./trellis.js";

export const views = { chain, em, quiz, trellis };
