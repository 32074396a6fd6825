// What was drawn: clicks, box, strokes and the pointer over the photo that is being mended.

const COLOURS = { in: "#57c06f", out: "#ff7b72", unsure: "#e3b341" };

export function paintDrawn(mend, context, at) {
  const x = (value) => at.left + value * at.scale;
  const y = (value) => at.top + value * at.scale;
  const dot = (step) => {
    context.beginPath();
    context.arc(x(step.x), y(step.y), 6, 0, 7);
    context.fillStyle = step.inside ? COLOURS.in : COLOURS.out;
    context.fill();
    context.lineWidth = 2;
    context.strokeStyle = "#000";
    context.stroke();
  };
  const line = ({ kind, size, points }, alpha) => {
    context.globalAlpha = alpha;
    context.strokeStyle = COLOURS[kind];
    context.lineWidth = Math.max(1, size * at.scale);
    context.lineCap = context.lineJoin = "round";
    context.beginPath();
    points.forEach(([px, py], place) => (place ? context.lineTo(x(px), y(py)) : context.moveTo(x(px), y(py))));
    if (points.length === 1) context.lineTo(x(points[0][0]) + 0.1, y(points[0][1]));
    context.stroke();
    context.globalAlpha = 1;
  };
  const frame = ([left, top, right, bottom]) => {
    context.lineWidth = 2;
    context.strokeStyle = "#6ea8ff";
    context.strokeRect(x(left), y(top), (right - left) * at.scale, (bottom - top) * at.scale);
  };
  const answered = ["answered", "edged"].includes(document.body.dataset.mend);
  for (const step of mend.steps) {
    if (step.kind === "stroke") line(step.stroke, answered ? 0.12 : 0.5);
    else if (step.kind === "box") frame(step.box);
  }
  for (const step of mend.steps) if (step.kind === "click") dot(step);
  if (mend.drawing?.points) line(mend.stroke(mend.drawing.points), 0.5);
  else if (mend.drawing) {
    const { from, to } = mend.drawing;
    frame([from.x, from.y, to.x, to.y]);
  }
  if (mend.cursor) {
    const radius = mend.tool.startsWith("brush") ? Math.max(2, (mend.size * at.scale) / 2) : 8;
    context.lineWidth = 1.5;
    context.strokeStyle = "#fff";
    context.beginPath();
    context.arc(x(mend.cursor.x), y(mend.cursor.y), radius, 0, 7);
    context.stroke();
    context.strokeStyle = "#000";
    context.beginPath();
    context.arc(x(mend.cursor.x), y(mend.cursor.y), radius + 1.5, 0, 7);
    context.stroke();
  }
}
