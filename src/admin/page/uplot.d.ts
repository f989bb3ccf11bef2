/** The charts of npm uplot, which the admin port serves under this name. */
export { default } from "uplot";
