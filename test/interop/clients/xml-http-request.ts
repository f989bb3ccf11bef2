/**
 * As much of a browser's XMLHttpRequest as the npm library's XHR connection uses, over Node's `fetch`. What is under
 * test is what the library makes of it, and what it sends.
 */
export class RequestObject {
  readyState = 0;
  status = 0;
  responseText = "";
  response: ArrayBuffer | undefined;
  responseType = "";
  timeout = 0;
  onreadystatechange: () => void = () => {};
  onerror: (error: unknown) => void = () => {};
  #url = "";
  #mediaType = "";
  readonly #headers: Record<string, string> = {};

  overrideMimeType(mediaType: string): void {
    this.#mediaType = mediaType;
  }

  open(_method: "POST", url: string): void {
    this.#url = url;
  }

  setRequestHeader(name: string, value: string): void {
    this.#headers[name] = value;
  }

  send(body: Buffer): void {
    this.#send(body).catch((error) => this.onerror(error));
  }

  async #send(body: Buffer): Promise<void> {
    const response = await fetch(this.#url, {
      method: "POST",
      body: new Uint8Array(body),
      headers: this.#headers,
    });
    const bytes = await response.arrayBuffer();
    this.readyState = 4;
    this.status = response.status;
    if (this.responseType === "arraybuffer") this.response = bytes;
    else this.responseText = new TextDecoder().decode(bytes);
    if (this.#mediaType === "") throw new Error("the library told no media type");
    // Called as the browser does, on the object.
    this.onreadystatechange.call(this);
  }
}
