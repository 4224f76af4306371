// Two small things that htmx does not do: the wait before a code can be sent again, and waking up.
(() => {
  "use strict";

  // <button data-wait="60" disabled>: counts down, then can be pressed.
  function countDown(button) {
    const words = button.textContent;
    let left = Number(button.dataset.wait);
    const tick = () => {
      button.disabled = left > 0;
      button.textContent = left > 0 ? `${words} (${left})` : words;
      if (left-- > 0) setTimeout(tick, 1000);
    };
    tick();
  }

  document.querySelectorAll("button[data-wait]").forEach(countDown);
  document.querySelectorAll("[data-submit-on-change]").forEach((field) => {
    field.addEventListener("change", () => field.form.requestSubmit());
  });

  // A sleeping phone runs no timers: whatever renews itself does so at once when the page is seen again.
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState !== "visible") return;
    document.querySelectorAll("[data-renew]").forEach((element) => htmx.trigger(element, "renew"));
  });
})();
