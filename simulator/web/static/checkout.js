// What makes the checkout quicker where scripts run; all of it works without.
"use strict";

const waiting = document.querySelector("[data-progress]");
if (waiting) {
  let pause = 300;
  const look = async () => {
    try {
      const answer = await fetch(waiting.dataset.progress, { cache: "no-store" });
      if (!answer.ok || !(await answer.json()).under_way) {
        location.replace(waiting.dataset.result);
        return;
      }
    } catch {
      // the server is away for a moment
    }
    pause = Math.min(pause * 1.3, 2000);
    setTimeout(look, pause);
  };
  setTimeout(look, pause);
}

const search = document.querySelector("#search");
if (search && !location.search) {
  const none = document.querySelector("[data-testid=no-bank]");
  const filter = () => {
    const words = search.value.toLowerCase().split(/\s+/);
    for (const brand of document.querySelectorAll(".brand")) {
      for (const bank of brand.querySelectorAll("li")) {
        bank.hidden = !words.every((word) => bank.dataset.name.toLowerCase().includes(word));
      }
      brand.hidden = !brand.querySelector("li:not([hidden])");
    }
    none.textContent = document.querySelector(".brand:not([hidden])") ? "" : "No bank of that name.";
  };
  search.form.querySelector("button").hidden = true;
  search.form.addEventListener("submit", (event) => event.preventDefault());
  search.addEventListener("input", filter);
}
