// The printed receipt: shown as it is, byte for byte, since the system keeps the hash of its bytes.

/** Show a receipt and let it be printed. */
export function showReceipt(receipt) {
  document.getElementById("receipt-text").textContent = receipt.text;
  document.getElementById("receipt-sha256").textContent = receipt.sha256;
}

addEventListener("click", (event) => event.target.closest("[data-print]") && print());
