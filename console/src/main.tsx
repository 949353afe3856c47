import { createRoot } from "react-dom/client";
import { App } from "./app/App";
import { startWords } from "./words";
import "./console.css";

const place = document.getElementById("console");
if (place === null) throw new Error("index.html has no place for the console");
startWords().then(() => createRoot(place).render(<App />));
